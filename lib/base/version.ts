/** Versions that runts states of itself. */

/** Of runts (SemVer). */
export const VERSION = "0.1.0";
/** Newest version of the OCI runtime specification that is implemented. */
export const OCI_VERSION = "1.3.0";
/** Oldest version that is accepted in config.json. */
export const OCI_VERSION_MIN = "1.0.0";
