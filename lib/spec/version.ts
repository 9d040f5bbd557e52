/** The version of the runtime specification that runts follows and states. */
export const OCI_VERSION = "1.3.0";
