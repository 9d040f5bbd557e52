/* Becoming another program. */
#ifndef RUNTS_REPLACE_H
#define RUNTS_REPLACE_H

#include <stdint.h>

/*
 * replace.c. Executes `path` in the place of this process, with the listening socket as descriptor 3 and no
 * other but the standard streams. `words`: arguments, then variables, each of which ends in NUL. Comes back
 * with -errno alone.
 */
int32_t rts_replace(const char *path, const char *words, uint32_t arguments, uint32_t variables,
                    int32_t listening);

#endif
