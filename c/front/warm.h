/* The warm brain: a process of Deno that is there already (docs/warm.md). */
#ifndef RUNTS_FRONT_WARM_H
#define RUNTS_FRONT_WARM_H

/* Gives the command to the brain of this user: its exit code, or COLD, and then nothing was done. */
int ask_brain(char **sp, char **env);

#endif
