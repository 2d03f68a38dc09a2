/** What is known of the systemd that is to make a container's cgroups. */
export type SystemdFacts =
  /** Nobody wants it. */
  | { readonly kind: "unasked" }
  /** `cause` continues a sentence: "systemd does not run here (…)". */
  | { readonly kind: "missing"; readonly cause: string }
  | {
      readonly kind: "running";
      /** The machine's, or that of the user who calls. */
      readonly bus: BusKind;
      /** Its number, such as 252; properties of later ones are left out. 0 when it did not tell. */
      readonly version: number;
      /** Its own place in the hierarchies: "" for their root, "/user.slice/user-1000.slice/user@1000.service" for a user's. */
      readonly controlGroup: string;
    };

export type BusKind = "system" | "user";
