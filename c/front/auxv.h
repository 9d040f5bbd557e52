/* The auxiliary vector (getauxval(3)), which stands behind the environment. */
#ifndef RUNTS_FRONT_AUXV_H
#define RUNTS_FRONT_AUXV_H

#include <elf.h>
#include <stdint.h>

static inline uint64_t *auxv_of(char **env) {
  while (*env)
    env++;
  return (uint64_t *)(env + 1);
}

static inline uint64_t auxv_value(const uint64_t *auxv, uint64_t type, uint64_t otherwise) {
  for (; auxv[0] != AT_NULL; auxv += 2)
    if (auxv[0] == type)
      return auxv[1];
  return otherwise;
}

#endif
