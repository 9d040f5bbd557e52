/* Encoding plans for tests. */
#ifndef TEST_PLAN_H
#define TEST_PLAN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../../c/include/ops.h"

struct plan_bytes {
  uint8_t *data;
  size_t length;
  uint32_t count;
};

static inline void plan_put(struct plan_bytes *p, const void *bytes, size_t length) {
  p->data = realloc(p->data, p->length + length + 1);
  if (!p->data)
    abort();
  if (length > 0)
    memcpy(p->data + p->length, bytes, length);
  p->length += length;
}

static inline void plan_put_u32(struct plan_bytes *p, uint32_t value) {
  plan_put(p, &value, sizeof value);
}

static inline void plan_put_text(struct plan_bytes *p, const char *text) {
  plan_put_u32(p, (uint32_t)strlen(text));
  plan_put(p, text, strlen(text) + 1);
}

static inline const char *plan_fields_of(uint32_t code) {
  switch (code) {
#define X(name, code, fields) \
  case code:                  \
    return fields;
    RUNTS_OPS(X)
#undef X
  default:
    abort();
  }
}

static inline void plan_put_texts(struct plan_bytes *p, const char *const *texts) {
  uint32_t count = 0;
  while (texts[count])
    count++;
  plan_put_u32(p, count);
  for (uint32_t i = 0; i < count; i++)
    plan_put_text(p, texts[i]);
}

static inline void plan_patch(struct plan_bytes *p, size_t at, uint32_t value) {
  memcpy(p->data + at, &value, sizeof value);
}

static inline void plan_start(struct plan_bytes *p) {
  *p = (struct plan_bytes){0};
  plan_put_u32(p, PLAN_MAGIC);
  plan_put(p, RUNTS_BUILD_ID, BUILD_ID_LENGTH);
  plan_put_u32(p, 0);
  plan_put_u32(p, 0);
}

/*
 * Arguments as the fields say: const char *, const char *const * that ends in NULL, uint32_t,
 * int32_t, uint64_t, int64_t; lists of numbers and bytes as their count (uint32_t) and where they
 * are.
 */
static inline void plan_add(struct plan_bytes *p, enum op_code code, ...) {
  va_list args;
  va_start(args, code);
  plan_put_u32(p, code);
  size_t length_at = p->length;
  plan_put_u32(p, 0);
  for (const char *type = plan_fields_of(code); *type; type++) {
    if (*type == 's') {
      plan_put_text(p, va_arg(args, const char *));
    } else if (*type == 'S') {
      plan_put_texts(p, va_arg(args, const char *const *));
    } else if (*type == 'u' || *type == 'i') {
      plan_put_u32(p, va_arg(args, uint32_t));
    } else if (*type == 'U' || *type == 'I') {
      uint64_t value = va_arg(args, uint64_t);
      plan_put(p, &value, sizeof value);
    } else {
      uint32_t count = va_arg(args, uint32_t);
      plan_put_u32(p, count);
      plan_put(p, va_arg(args, const void *), count * (*type == 'V' ? sizeof(uint32_t) : 1));
    }
  }
  va_end(args);
  plan_patch(p, length_at, (uint32_t)(p->length - length_at - sizeof(uint32_t)));
  p->count++;
}

/* A shell script as the program. */
static inline void plan_script(struct plan_bytes *p, const char *script) {
  const char *const args[] = {"sh", "-ec", script, NULL};
  static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  plan_add(p, OP_find_program, "/bin/sh", "");
  plan_add(p, OP_exec, args, env, (int64_t)-1, 0u);
}

static inline void plan_end(struct plan_bytes *p) {
  plan_patch(p, offsetof(struct plan_header, length), (uint32_t)p->length);
  plan_patch(p, offsetof(struct plan_header, count), p->count);
}

static inline void plan_discard(struct plan_bytes *p) {
  free(p->data);
  *p = (struct plan_bytes){0};
}

#endif
