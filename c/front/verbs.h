/*
 * The verbs that the front performs. Each either does what lib/container has it do, or gives COLD
 * having changed nothing that the same verb in Deno would not change first.
 */
#ifndef RUNTS_FRONT_VERBS_H
#define RUNTS_FRONT_VERBS_H

#include "cold.h"
#include "container.h"
#include "words.h"

#define DONE 0
#define COLD (-1)

/* A container, and how it was called for. */
struct target {
  struct container container;
  const char *root;
  const char *path; /* of the state directory */
  const struct call *call;
};

int print_state(const struct target *target);
int kill_container(const struct target *target);
int start_container(const struct target *target, long lock, struct begun *begun);
int delete_container(const struct target *target);

/* delete --force of what does not exist. */
int delete_unknown(const char *root);

/* An exit code, or COLD. `words` are those behind argv[0]. */
int perform(char **words, char **env, struct begun *begun);

#endif
