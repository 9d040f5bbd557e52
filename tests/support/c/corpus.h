/* A plan that has every type of field, and mutations of it. */
#ifndef TEST_CORPUS_H
#define TEST_CORPUS_H

#include "plan.h"

static inline void corpus_plan(struct plan_bytes *p) {
  static const char *const args[] = {"/bin/sh", "-c", "exit 3", NULL};
  static const char *const env[] = {"PATH=/bin", "", NULL};
  static const char *const none[] = {NULL};
  static const uint32_t groups[] = {1, 2, 0xfffffffe};
  plan_start(p);
  plan_add(p, OP_write_file, "/proc/self/oom_score_adj", "100", (uint64_t)0x9fa0);
  plan_add(p, OP_clone, 0x20000000u, -1);
  plan_add(p, OP_setsid);
  plan_add(p, OP_mount, 0u, "proc", -1, "/proc", "proc", none, env, UINT64_C(14), UINT64_C(0),
           UINT64_C(0), UINT64_C(0), UINT64_C(0), 2u, groups, 1u, 0u);
  plan_add(p, OP_set_ids, 1000u, 1000u, 3u, groups, 0u);
  plan_add(p, OP_affinity, 3u, "\x01\x00\x80");
  plan_add(p, OP_seccomp, 0u, 8u, "\x06\0\0\0\0\0\xff\x7f", 0u);
  plan_add(p, OP_hook, "createContainer", 0u, "/bin/true", args, none, 1u, 2u, -1, -1, 1u);
  plan_add(p, OP_exec, args, env, (int64_t)-1, 1u);
  plan_end(p);
}

/* xorshift: the same numbers for the same seed, everywhere. */
static inline uint32_t corpus_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return (uint32_t)(*state >> 16);
}

/* Changes one to eight bytes, words or the length; the header stays right most of the time. */
static inline size_t corpus_mutate(uint8_t *data, size_t length, uint64_t *state) {
  static const uint32_t odd[] = {0, 1, 2, 7, 8, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff};
  for (uint32_t n = corpus_random(state) % 8 + 1; n > 0 && length > 20; n--) {
    size_t at = 12 + corpus_random(state) % (length - 15);
    uint32_t word = odd[corpus_random(state) % (sizeof odd / sizeof *odd)];
    switch (corpus_random(state) % 4) {
    case 0:
      data[at] = (uint8_t)corpus_random(state);
      break;
    case 1:
      data[at] ^= (uint8_t)(1u << corpus_random(state) % 8);
      break;
    case 2:
      memcpy(data + at, &word, sizeof word);
      break;
    default:
      length -= corpus_random(state) % 4;
      break;
    }
  }
  uint32_t stated = (uint32_t)length;
  if (corpus_random(state) % 16 != 0)
    memcpy(data + 8, &stated, sizeof stated);
  return length;
}

#endif
