/** Under this are the calls that Linux numbers in a row; ARM has a few of its own above. */
export const firstPrivateCall = 0xf0000;

/** More than there are in a row, on any architecture: Linux 6.17 is at 470, and x32 at 548. */
export const mostCalls = 1024;
