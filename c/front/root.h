/* Where state directories are kept, as lib/state/root.ts has it. */
#ifndef RUNTS_FRONT_ROOT_H
#define RUNTS_FRONT_ROOT_H

#define PATH_ROOM 4096

/* The value of a variable ("NAME="), or NULL; an empty one counts as unset. */
const char *variable(char **env, const char *name);

/* Writes the root of a caller who does not give --root; 0 where that cannot be told. */
int put_default_root(char *to, char **env);

#endif
