/*
 * Fuzzing what the front reads without having written it in this process: a record, and a command line.
 *   front_fuzz [SEED RUNS]
 * tries mutations of a record that holds.
 * links: c/front/words.c c/front/record.c c/front/files.c c/front/say.c
 */
#define _GNU_SOURCE 1
#include "../../c/front/words.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../support/c/corpus.h"
#include "../support/c/record.h"

#define RUNS 200000
#define LENGTH_MAX 4096

static void expect(int holds) {
  if (!holds)
    abort();
}

/* Everything that a verb would read of a record that is taken lies within it. */
static void read_all(const struct prepared *record) {
  const struct prepared_text texts[] = {
      record->status,        record->before_pid,    record->before_state,  record->after_state,
      record->freezer_state, record->cgroup_freeze, record->cgroup_events, record->cgroup_name,
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    expect(strlen(text_of(record, texts[i])) == texts[i].length);
  for (uint32_t i = 0; i < record->cgroup_count; i++)
    expect(*text_of(record, cgroups_of(record)[i].path) == '/');
}

static int try_record(uint64_t *state) {
  struct record_bytes bytes = sample_record();
  size_t length = corpus_mutate((uint8_t *)&bytes, bytes.head.size, state);
  struct prepared *copy = malloc(length ? length : 1);
  memcpy(copy, &bytes, length);
  int sound = is_sound(copy, length);
  if (sound)
    read_all(copy);
  free(copy);
  return sound;
}

static void try_words(uint64_t *state) {
  static const char *const parts[] = {
      "state", "kill", "start",     "delete", "--root",       "--log", "/r",
      "--all", "-f",   "web",       "9",      "KILL",         "=",     "-",
      "",      "SIG",  "--root=/x", "\xff",   "--log-format", "json"};
  char room[8][64], *words[9] = {NULL};
  struct call call;
  for (uint32_t i = 0, count = corpus_random(state) % 9; i < count; i++) {
    const char *one = parts[corpus_random(state) % (sizeof parts / sizeof *parts)];
    const char *two = corpus_random(state) % 8 ? "" : one;
    words[i] = room[i];
    snprintf(room[i], sizeof room[i], "%s%s", one, two);
  }
  if (read_words(&call, words))
    expect(call.id && *call.id && (!call.root || *call.root == '/') && call.signal <= 64);
}

int main(int argc, char **argv) {
  uint64_t state = argc > 1 ? strtoull(argv[1], NULL, 10) | 1 : 88172645463325252u;
  long runs = argc > 2 ? atol(argv[2]) : RUNS, taken = 0;
  for (long i = 0; i < runs; i++) {
    taken += try_record(&state);
    try_words(&state);
  }
  printf("# %ld of %ld records were taken\n", taken, runs);
  /* One that no mutation leaves sound would not try much. */
  return taken > 0 ? 0 : 1;
}
