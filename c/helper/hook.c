/* Hooks of the runtime's namespaces: unpacks what JavaScript packed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helper.h"

/* Points at `count` texts and moves on behind them; ends the list. */
static const char *const *take(const char **list, const char **words, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    list[i] = *words;
    *words += strlen(*words) + 1;
  }
  list[count] = NULL;
  return list;
}

int32_t rts_hook_begin(const struct rts_hook *hook, const char *words, const uint8_t *input,
                       const struct hook_limit *limits, struct hook_process *process,
                       struct hook_result *result) {
  const char **list = calloc((size_t)hook->args + hook->env + 2, sizeof *list);
  if (!list)
    return -ENOMEM;
  struct hook h = {.input = (const char *)input, .input_length = hook->input_length};
  h.timeout = hook->timeout;
  h.output = hook->output;
  h.errors = hook->errors;
  h.limits = limits;
  h.limit_count = hook->limits;
  h.path = words;
  words += strlen(words) + 1;
  h.directory = *words ? words : NULL;
  words += strlen(words) + 1;
  h.args = take(list, &words, hook->args);
  h.env = take(list + hook->args + 1, &words, hook->env);
  int error = hook_begin(&h, process, result);
  free(list);
  return error;
}

int32_t rts_hook_pass_on(struct hook_process *process, struct hook_result *result) {
  return hook_pass_on(process, result);
}

int32_t rts_hook_kill(struct hook_process *process, struct hook_result *result) {
  return hook_kill(process, result);
}

/* Whoever waits has passed on as much as there was room for. */
int32_t rts_hook_end(struct hook_process *process, struct hook_result *result) {
  return hook_end(process, 1, result);
}
