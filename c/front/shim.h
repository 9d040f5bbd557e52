/* What the front does of a shim's work by itself: see c/include/body.h, START. */
#ifndef RUNTS_FRONT_SHIM_H
#define RUNTS_FRONT_SHIM_H

/* An exit code, or COLD. */
int be_shim(char **words, char **env);

#endif
