import { ERRNO } from "../../../ffi/constants/errno.ts";
import {
  IFA,
  IFA_F,
  IFLA,
  NETLINK_ROUTE,
  NLM_F,
  NLMSG,
  RT_SCOPE_UNIVERSE,
  RTM,
} from "../../../ffi/constants/netlink.ts";
import { AF, IFF_UP, SOCK } from "../../../ffi/constants/socket.ts";
import { SyscallError } from "../../../ffi/error.ts";
import { Descriptor, readInto, writeAll } from "../../../ffi/file.ts";
import { libc } from "../../../ffi/libc.ts";
import { decodeText } from "../../../ffi/memory.ts";
import {
  type Attribute,
  decodeAttributes,
  decodeMessages,
  encodeRequest,
  type Message,
  text,
  word,
} from "./messages.ts";

/** A network device, as far as it matters here. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly up: boolean;
}

/** An address that somebody gave to a device for good. */
export interface Address {
  readonly family: number;
  readonly prefix: number;
  readonly flags: number;
  readonly attributes: readonly Attribute[];
}

/** struct ifinfomsg { u8 family, pad; u16 type; s32 index; u32 flags, change; } and struct ifaddrmsg. */
const linkSize = 16;
const addressSize = 8;
/** More than the kernel puts into one packet of a dump. */
const packetSize = 1 << 16;

/** What an address keeps. Its label begins with the device's name, which may be another one now. */
const keptAttributes: readonly number[] = [IFA.ADDRESS, IFA.LOCAL, IFA.BROADCAST, IFA.RT_PRIORITY];
const keptFlags = IFA_F.NODAD | IFA_F.HOMEADDRESS | IFA_F.MANAGETEMPADDR | IFA_F.NOPREFIXROUTE;

/** Talks to the kernel about the devices of one network namespace: that in which it was opened. rtnetlink(7). */
export class RouteSocket implements Disposable {
  readonly #socket = new Descriptor(libc.socket(AF.NETLINK, SOCK.RAW | SOCK.CLOEXEC, NETLINK_ROUTE));
  #sequence = 0;

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  /** A device by its name; undefined when there is none. Throws SyscallError. */
  findLink(name: string): Link | undefined {
    try {
      const [found] = this.#ask(
        "RTM_GETLINK",
        RTM.GETLINK,
        0,
        linkBody(0),
        [[IFLA.IFNAME, text(name)]],
        name,
      );
      return found && readLink(found);
    } catch (error) {
      if (error instanceof SyscallError && error.errno === ERRNO.ENODEV) return undefined;
      throw error;
    }
  }

  /** All devices. Throws SyscallError. */
  links(): Link[] {
    return this.#ask("RTM_GETLINK", RTM.GETLINK, NLM_F.DUMP, linkBody(0)).map(readLink);
  }

  /** The permanent global addresses of a device, of any family. Throws SyscallError. */
  addresses(index: number): Address[] {
    const found: Address[] = [];
    for (const { body } of this.#ask("RTM_GETADDR", RTM.GETADDR, NLM_F.DUMP, new Uint8Array(addressSize))) {
      const view = new DataView(body.buffer);
      const all = decodeAttributes(body, addressSize);
      const wide = all.get(IFA.FLAGS);
      const flags = wide ? new DataView(wide.buffer).getUint32(0, true) : view.getUint8(2);
      if (view.getUint32(4, true) !== index || view.getUint8(3) !== RT_SCOPE_UNIVERSE) continue;
      if ((flags & IFA_F.PERMANENT) === 0) continue;
      found.push({
        family: view.getUint8(0),
        prefix: view.getUint8(1),
        flags: flags & keptFlags,
        attributes: [...all].filter(([type]) => keptAttributes.includes(type)),
      });
    }
    return found;
  }

  /** Gives a device an address. Throws SyscallError. */
  addAddress(index: number, { family, prefix, flags, attributes }: Address, name: string): void {
    const body = new Uint8Array(addressSize);
    body.set([family, prefix, 0, RT_SCOPE_UNIVERSE]);
    body.set(word(index), 4);
    const all: Attribute[] = [...attributes, [IFA.FLAGS, word(flags)]];
    this.#ask("RTM_NEWADDR", RTM.NEWADDR, NLM_F.CREATE | NLM_F.EXCL, body, all, name);
  }

  /**
   * Moves a device to another network namespace, where it gets a name. Its addresses and routes are gone with that, and
   * it is down. Throws SyscallError.
   * @param namespace descriptor
   * @param newIndex its number there; 0 keeps the one that it has
   */
  moveLink(link: Link, namespace: number, name: string, newIndex: number): void {
    const attributes: Attribute[] = [
      [IFLA.NET_NS_FD, word(namespace)],
      [IFLA.IFNAME, text(name)],
    ];
    if (newIndex !== 0) attributes.push([IFLA.NEW_IFINDEX, word(newIndex)]);
    this.#ask("RTM_SETLINK", RTM.SETLINK, 0, linkBody(link.index), attributes, `${link.name} → ${name}`);
  }

  /** Brings a device up. Throws SyscallError. */
  bringUp(index: number, name: string): void {
    this.#ask("RTM_SETLINK", RTM.SETLINK, 0, linkBody(index, IFF_UP), [], `${name} up`);
  }

  /** Sends one request, and reads until it is answered. */
  #ask(
    name: string,
    type: number,
    flags: number,
    body: Uint8Array,
    attributes: readonly Attribute[] = [],
    about = "",
  ): Message[] {
    const sequence = ++this.#sequence;
    writeAll(this.#socket.fd, encodeRequest(type, flags, sequence, body, attributes));
    const answers: Message[] = [];
    const packet = new Uint8Array(packetSize);
    for (;;) {
      const length = readInto(this.#socket.fd, packet);
      for (const message of decodeMessages(packet.subarray(0, length))) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG.DONE) return answers;
        if (message.type !== NLMSG.ERROR) {
          answers.push(message);
          continue;
        }
        // struct nlmsgerr begins with the negated error number; 0 is the acknowledgement.
        const errno = -new DataView(message.body.buffer).getInt32(0, true);
        if (errno === 0) return answers;
        throw new SyscallError(
          "rtnetlink",
          errno,
          about === "" ? `rtnetlink(${name})` : `rtnetlink(${name}, ${about})`,
        );
      }
    }
  }
}

function linkBody(index: number, flags = 0): Uint8Array {
  const body = new Uint8Array(linkSize);
  body.set(word(index), 4);
  body.set(word(flags), 8);
  // Which flags are meant.
  body.set(word(flags), 12);
  return body;
}

function readLink({ body }: Message): Link {
  const view = new DataView(body.buffer);
  return {
    index: view.getInt32(4, true),
    name: decodeText(decodeAttributes(body, linkSize).get(IFLA.IFNAME) ?? new Uint8Array(1)),
    up: (view.getUint32(8, true) & IFF_UP) !== 0,
  };
}
