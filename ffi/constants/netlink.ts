// Numbers of rtnetlink(7). Source: include/uapi/linux/{netlink,rtnetlink,if_link,if_addr}.h.

export const NETLINK_ROUTE = 0;

/** Types of messages that any netlink socket answers with. */
export const NLMSG = { NOOP: 1, ERROR: 2, DONE: 3 } as const;

/** Flags of a request. DUMP asks for all there are. */
export const NLM_F = { REQUEST: 1, ACK: 4, EXCL: 0x200, DUMP: 0x300, CREATE: 0x400 } as const;

export const RTM = { NEWLINK: 16, GETLINK: 18, SETLINK: 19, NEWADDR: 20, GETADDR: 22 } as const;

/** Attributes of a network device. NEW_IFINDEX: Linux 5.13. */
export const IFLA = { IFNAME: 3, NET_NS_FD: 28, NEW_IFINDEX: 49 } as const;

/** Attributes of an address. */
export const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4, FLAGS: 8, RT_PRIORITY: 9 } as const;

/** Flags of an address. */
export const IFA_F = {
  NODAD: 0x02,
  HOMEADDRESS: 0x10,
  PERMANENT: 0x80,
  MANAGETEMPADDR: 0x100,
  NOPREFIXROUTE: 0x200,
} as const;

/** Scope of an address that is good everywhere. */
export const RT_SCOPE_UNIVERSE = 0;
