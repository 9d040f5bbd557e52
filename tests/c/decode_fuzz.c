/*
 * Fuzzing the decoder of plans, with libFuzzer (tests/fuzz/plan.ts), or without:
 *   decode_fuzz [SEED RUNS [FILE...]]
 * tries mutations of the plans in the files, and of one that has every type of field.
 * links: c/init/decode.c
 */

#include "../../c/init/init.h"
#include "../support/c/corpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct plan plan;
  int error = plan_decode(data, length, &plan);
  if (error != 0 && error != -EBADMSG)
    abort();
  for (uint32_t i = 0; i < plan.count; i++) {
    const union field *f = plan.ops[i].field;
    for (const char *type = plan_fields_of(plan.ops[i].code); *type; type++, f++) {
      if (*type == 's' && strlen(f->text) > length)
        abort();
      if (*type == 'S' && f->texts.items[f->texts.count])
        abort();
      if ((*type == 'V' || *type == 'b') && f->data.bytes + f->data.count > data + length)
        abort();
    }
  }
  plan_free(&plan);
  return 0;
}

#ifdef LIBFUZZER
size_t LLVMFuzzerMutate(uint8_t *data, size_t length, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t length, size_t most, unsigned seed);

/* A plan that is not as long as it says is refused at once: mostly it says so. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t length, size_t most, unsigned seed) {
  uint32_t stated = (uint32_t)(length = LLVMFuzzerMutate(data, length, most));
  if (length >= 12 && seed % 16 != 0)
    memcpy(data + 8, &stated, sizeof stated);
  return length;
}
#else
#include <stdio.h>

#define PLANS_MAX 64

static bool read_plan(const char *path, struct plan_bytes *p) {
  FILE *file = fopen(path, "re");
  *p = (struct plan_bytes){0};
  uint8_t chunk[4096];
  for (size_t got; file && (got = fread(chunk, 1, sizeof chunk, file)) > 0;)
    plan_put(p, chunk, got);
  if (file)
    fclose(file);
  return p->length > 20;
}

static void try_mutation(const struct plan_bytes *p, uint64_t *state) {
  uint8_t *copy = malloc(p->length);
  if (!copy)
    abort();
  memcpy(copy, p->data, p->length);
  size_t length = corpus_mutate(copy, p->length, state);
  /* Exactly as long as it is, so that the sanitizer sees what lies behind. */
  copy = realloc(copy, length);
  if (!copy)
    abort();
  LLVMFuzzerTestOneInput(copy, length);
  free(copy);
}

int main(int argc, char **argv) {
  uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, state = seed * 2654435761u + 1;
  unsigned long runs = argc > 2 ? strtoul(argv[2], NULL, 0) : 100000;
  struct plan_bytes plans[PLANS_MAX];
  uint32_t count = 0;
  corpus_plan(&plans[count++]);
  for (int i = 3; i < argc && count < PLANS_MAX; i++)
    if (!read_plan(argv[i], &plans[count++]))
      return 1;
  for (unsigned long run = 0; run < runs; run++)
    try_mutation(&plans[corpus_random(&state) % count], &state);
  while (count > 0)
    plan_discard(&plans[--count]);
  printf("%lu plans from seed %llu\n", runs, (unsigned long long)seed);
  return 0;
}
#endif
