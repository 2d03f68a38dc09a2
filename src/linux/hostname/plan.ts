/** Names of the UTS namespace; an empty one is left as it is. */
export interface PlannedNames {
  readonly hostname: string;
  readonly domainname: string;
}
