/*
 * Fuzzing the decoder of plans. For libFuzzer:
 *   clang -fsanitize=fuzzer,address,undefined -DLIBFUZZER tests/c/decode_fuzz.c c/init/decode.c
 * Without it the program tries mutations of a good plan for the given number of seconds (1).
 * links: c/init/decode.c
 */
#include <time.h>

#include "../../c/init/init.h"
#include "support/corpus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct plan plan;
  int error = plan_decode(data, length, &plan);
  if (error != 0 && error != -EBADMSG) abort();
  for (uint32_t i = 0; i < plan.count; i++) {
    const union field *f = plan.ops[i].field;
    for (const char *type = plan_fields_of(plan.ops[i].code); *type; type++, f++) {
      if (*type == 's' && strlen(f->text) > length) abort();
      if (*type == 'S' && f->texts.items[f->texts.count]) abort();
      if ((*type == 'V' || *type == 'b') && f->data.bytes + f->data.count > data + length) abort();
    }
  }
  plan_free(&plan);
  return 0;
}

#ifndef LIBFUZZER
#include <stdio.h>

int main(int argc, char **argv) {
  time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
  uint64_t state = (uint64_t)end * 2654435761u + 1;
  struct plan_bytes p;
  corpus_plan(&p);
  unsigned long runs = 0;
  for (; time(NULL) <= end; runs++) {
    uint8_t *copy = malloc(p.length);
    if (!copy) return 1;
    memcpy(copy, p.data, p.length);
    size_t length = corpus_mutate(copy, p.length, &state);
    uint8_t *exact = malloc(length);
    if (!exact) return 1;
    memcpy(exact, copy, length);
    LLVMFuzzerTestOneInput(exact, length);
    free(exact);
    free(copy);
  }
  plan_discard(&p);
  printf("%lu plans\n", runs);
  return 0;
}
#endif
