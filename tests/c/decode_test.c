/*
 * Decoding plans: what is well-formed, and what is refused.
 * links: c/init/decode.c
 */
#include "../../c/init/init.h"
#include "../support/c/corpus.h"
#include "../support/c/test.h"

static int decode(const struct plan_bytes *p, struct plan *plan) {
  return plan_decode(p->data, p->length, plan);
}

/* A plan of one operation, whose fields are the raw bytes. */
static int decode_raw(uint32_t code, const void *fields, size_t length) {
  struct plan_bytes p;
  struct plan plan;
  plan_start(&p);
  plan_put_u32(&p, code);
  plan_put_u32(&p, (uint32_t)length);
  plan_put(&p, fields, length);
  p.count = 1;
  plan_end(&p);
  int error = decode(&p, &plan);
  plan_free(&plan);
  plan_discard(&p);
  return error;
}

static void reads_every_type_of_field(void) {
  struct plan_bytes p;
  struct plan plan;
  corpus_plan(&p);
  CHECK_NUMBER(decode(&p, &plan), 0);
  CHECK_NUMBER(plan.count, 9);
  CHECK_NUMBER(plan.ops[0].code, OP_write_file);
  CHECK_TEXT(plan.ops[0].field[0].text, "/proc/self/oom_score_adj");
  CHECK_NUMBER((long long)plan.ops[0].field[2].u64, 0x9fa0);
  CHECK_NUMBER(plan.ops[1].field[1].i32, -1);
  CHECK_NUMBER(plan.ops[3].field[5].texts.count, 0);
  CHECK(plan.ops[3].field[5].texts.items[0] == NULL);
  CHECK_NUMBER(plan.ops[3].field[12].data.count, 2);
  CHECK_NUMBER(data_u32(&plan.ops[4].field[2], 2), 0xfffffffe);
  CHECK_NUMBER(plan.ops[5].field[0].data.bytes[2], 0x80);
  CHECK_TEXT(plan.ops[8].field[0].texts.items[2], "exit 3");
  CHECK(plan.ops[8].field[0].texts.items[3] == NULL);
  CHECK_TEXT(plan.ops[8].field[1].texts.items[1], "");
  CHECK_NUMBER(plan.ops[8].field[2].i64, -1);
  plan_free(&plan);
  plan_discard(&p);
}

static void reads_a_plan_without_operations(void) {
  struct plan_bytes p;
  struct plan plan;
  plan_start(&p);
  plan_end(&p);
  CHECK_NUMBER(decode(&p, &plan), 0);
  CHECK_NUMBER(plan.count, 0);
  plan_free(&plan);
  plan_discard(&p);
}

/* In memory of its own, so that a read past the end is seen. */
static int decode_copy(const uint8_t *data, size_t length) {
  uint8_t *copy = malloc(length ? length : 1);
  struct plan plan;
  NEED(copy);
  memcpy(copy, data, length);
  int error = plan_decode(copy, length, &plan);
  plan_free(&plan);
  free(copy);
  return error;
}

enum { AT_LENGTH = offsetof(struct plan_header, length), AT_COUNT = AT_LENGTH + 4 };

static void refuses_every_truncation(void) {
  struct plan_bytes p;
  corpus_plan(&p);
  for (uint32_t length = 0; length < p.length; length++) {
    if (length >= AT_COUNT)
      plan_patch(&p, AT_LENGTH, length);
    CHECK_NUMBER(decode_copy(p.data, length), -EBADMSG);
  }
  plan_discard(&p);
}

static void refuses_a_wrong_header(void) {
  static const struct {
    size_t at;
    uint32_t value;
  } wrong[] = {
      {0, 0},        {AT_LENGTH, 0}, {AT_LENGTH, 0xffffffff},
      {AT_COUNT, 0}, {AT_COUNT, 8},  {AT_COUNT, 0xffffffff},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct plan_bytes p;
    corpus_plan(&p);
    plan_patch(&p, wrong[i].at, wrong[i].value);
    CHECK_NUMBER(decode_copy(p.data, p.length), -EBADMSG);
    plan_discard(&p);
  }
}

static void refuses_unknown_operations(void) {
  CHECK_NUMBER(decode_raw(OP_setsid, "", 0), 0);
  CHECK_NUMBER(decode_raw(0, "", 0), -EBADMSG);
  CHECK_NUMBER(decode_raw(2, "", 0), -EBADMSG);
  CHECK_NUMBER(decode_raw(1000, "", 0), -EBADMSG);
  CHECK_NUMBER(decode_raw(UINT32_MAX, "", 0), -EBADMSG);
}

static void refuses_fields_of_another_length(void) {
  CHECK_NUMBER(decode_raw(OP_umask, "\0\0\0\0", 4), 0);
  CHECK_NUMBER(decode_raw(OP_umask, "\0\0\0\0", 3), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_umask, "\0\0\0\0\0", 5), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_setsid, "\0", 1), -EBADMSG);
}

static void refuses_texts_that_are_not_terminated(void) {
  CHECK_NUMBER(decode_raw(OP_hostname, "\1\0\0\0a\0", 6), 0);
  CHECK_NUMBER(decode_raw(OP_hostname, "\1\0\0\0ab", 6), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_hostname, "\2\0\0\0a\0", 6), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_hostname, "\1\0\0\0a", 5), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_hostname, "\377\377\377\377a\0", 6), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_hostname, "\2\0\0\0\0a\0", 7), -EBADMSG);
}

static void refuses_counts_beyond_the_bytes(void) {
  CHECK_NUMBER(decode_raw(OP_affinity, "\1\0\0\0\1", 5), 0);
  CHECK_NUMBER(decode_raw(OP_affinity, "\2\0\0\0\1", 5), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_affinity, "\377\377\377\377\1", 5), -EBADMSG);
  CHECK_NUMBER(decode_raw(OP_set_ids, "\0\0\0\0\0\0\0\0\1\0\0\x40\1\0\0\0\0\0\0\0", 20), -EBADMSG);
}

/* Whatever was accepted can be read to its last byte. */
static void use_plan(const struct plan *plan) {
  size_t sum = 0;
  for (uint32_t i = 0; i < plan->count; i++) {
    const union field *f = plan->ops[i].field;
    for (const char *type = plan_fields_of(plan->ops[i].code); *type; type++, f++) {
      if (*type == 's')
        sum += strlen(f->text);
      if (*type == 'S')
        for (uint32_t t = 0; t <= f->texts.count; t++)
          sum += f->texts.items[t] ? strlen(f->texts.items[t]) : 0;
      if (*type == 'V' && f->data.count)
        sum += data_u32(f, f->data.count - 1);
      if (*type == 'b' && f->data.count)
        sum += f->data.bytes[f->data.count - 1];
    }
  }
  static volatile size_t sink;
  sink += sum;
}

static void survives_mutations(void) {
  struct plan_bytes p;
  corpus_plan(&p);
  uint64_t state = 0x9e3779b97f4a7c15;
  unsigned accepted = 0;
  for (int i = 0; i < 200000; i++) {
    uint8_t *copy = malloc(p.length);
    NEED(copy);
    memcpy(copy, p.data, p.length);
    size_t length = corpus_mutate(copy, p.length, &state);
    uint8_t *exact = malloc(length);
    NEED(exact);
    memcpy(exact, copy, length);
    struct plan plan;
    int error = plan_decode(exact, length, &plan);
    CHECK(error == 0 || error == -EBADMSG);
    if (error == 0)
      use_plan(&plan);
    accepted += error == 0;
    plan_free(&plan);
    free(exact);
    free(copy);
  }
  CHECK(accepted > 1000);
  CHECK(accepted < 199000);
  plan_discard(&p);
}

int main(int argc, char **argv) {
  static const struct test tests[] = {
      TEST(reads_every_type_of_field),
      TEST(reads_a_plan_without_operations),
      TEST(refuses_every_truncation),
      TEST(refuses_a_wrong_header),
      TEST(refuses_unknown_operations),
      TEST(refuses_fields_of_another_length),
      TEST(refuses_texts_that_are_not_terminated),
      TEST(refuses_counts_beyond_the_bytes),
      TEST(survives_mutations),
  };
  return test_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
