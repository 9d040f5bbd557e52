/* Where V8's code cache is kept: in the state root, whose owner alone can have written it. */
#ifndef RUNTS_FRONT_CODE_CACHE_H
#define RUNTS_FRONT_CODE_CACHE_H

#include "root.h"

/* One of the two is an empty string. */
struct code_cache {
  char used[PATH_ROOM];    /* directory of the cache that is there */
  char missing[PATH_ROOM]; /* where one may be put */
};

/* `args` and `env` end in NULL; `name` is the cache's path below the state root. */
void find_code_cache(struct code_cache *cache, char **args, char **env, const char *name);

#endif
