/* Bytes to operations. All is checked here, so that the operations can trust their fields. */
#define _GNU_SOURCE 1
#include <stdlib.h>

#include "init.h"

#define OP_HEADER_LENGTH 8u

struct reader {
  const uint8_t *at;
  const uint8_t *end;
};

/*
 * Where fields and lists of texts go. The plan is read twice: first with null pointers, to count
 * and to check, then with the room that was counted.
 */
struct arena {
  struct operation *ops;
  union field *fields;
  const char **texts;
  size_t field_count;
  size_t text_count;
};

static const char *const op_fields[] = {
#define X(name, code, fields) [code] = fields,
    RUNTS_OPS(X)
#undef X
};

static size_t left(const struct reader *r) {
  return (size_t)(r->end - r->at);
}

static bool take(struct reader *r, void *out, size_t length) {
  if (left(r) < length)
    return false;
  memcpy(out, r->at, length);
  r->at += length;
  return true;
}

static bool take_text(struct reader *r, const char **out) {
  uint32_t length;
  if (!take(r, &length, sizeof length) || left(r) <= length)
    return false;
  if (r->at[length] != 0 || memchr(r->at, 0, length))
    return false;
  *out = (const char *)r->at;
  r->at += (size_t)length + 1;
  return true;
}

static bool take_texts(struct reader *r, struct arena *to, union field *out) {
  uint32_t count;
  if (!take(r, &count, sizeof count))
    return false;
  const char **items = to->texts ? to->texts + to->text_count : NULL;
  for (uint32_t i = 0; i < count; i++) {
    const char *text;
    if (!take_text(r, &text))
      return false;
    if (items)
      items[i] = text;
  }
  if (items)
    items[count] = NULL;
  to->text_count += (size_t)count + 1;
  out->texts.items = items;
  out->texts.count = count;
  return true;
}

static bool take_data(struct reader *r, size_t item_size, union field *out) {
  uint32_t count;
  if (!take(r, &count, sizeof count) || left(r) / item_size < count)
    return false;
  out->data.bytes = r->at;
  out->data.count = count;
  r->at += count * item_size;
  return true;
}

static bool take_field(struct reader *r, char type, struct arena *to, union field *out) {
  switch (type) {
  case 's':
    return take_text(r, &out->text);
  case 'S':
    return take_texts(r, to, out);
  case 'u':
    return take(r, &out->u32, sizeof out->u32);
  case 'i':
    return take(r, &out->i32, sizeof out->i32);
  case 'U':
    return take(r, &out->u64, sizeof out->u64);
  case 'I':
    return take(r, &out->i64, sizeof out->i64);
  case 'V':
    return take_data(r, sizeof(uint32_t), out);
  case 'b':
    return take_data(r, 1, out);
  default:
    return false;
  }
}

static bool take_op(struct reader *r, struct arena *to, struct operation *out) {
  uint32_t head[2]; /* code, length */
  if (!take(r, head, sizeof head) || left(r) < head[1])
    return false;
  if (head[0] >= sizeof op_fields / sizeof *op_fields || !op_fields[head[0]])
    return false;
  struct reader body = {r->at, r->at + head[1]};
  r->at = body.end;
  if (out) {
    out->code = head[0];
    out->field = to->fields + to->field_count;
  }
  for (const char *type = op_fields[head[0]]; *type; type++) {
    union field scratch;
    union field *field = to->fields ? to->fields + to->field_count : &scratch;
    if (!take_field(&body, *type, to, field))
      return false;
    to->field_count++;
  }
  return body.at == body.end;
}

static bool take_ops(struct reader r, uint32_t count, struct arena *to) {
  to->field_count = 0;
  to->text_count = 0;
  for (uint32_t i = 0; i < count; i++)
    if (!take_op(&r, to, to->ops ? to->ops + i : NULL))
      return false;
  return r.at == r.end;
}

int plan_decode(const uint8_t *bytes, size_t length, struct plan *plan) {
  *plan = (struct plan){0};
  struct reader r = {bytes, bytes + length};
  struct plan_header head;
  if (length > PLAN_MAX || !take(&r, &head, sizeof head))
    return -EBADMSG;
  if (head.magic != PLAN_MAGIC || head.length != length)
    return -EBADMSG;
  uint32_t count = head.count;
  if (count > left(&r) / OP_HEADER_LENGTH)
    return -EBADMSG;

  struct arena arena = {0};
  if (!take_ops(r, count, &arena))
    return -EBADMSG;
  size_t ops_size = count * sizeof *arena.ops;
  size_t fields_size = arena.field_count * sizeof *arena.fields;
  uint8_t *room = malloc(ops_size + fields_size + arena.text_count * sizeof *arena.texts + 1);
  if (!room)
    return -ENOMEM;
  arena.ops = (struct operation *)(void *)room;
  arena.fields = (union field *)(void *)(room + ops_size);
  arena.texts = (const char **)(void *)(room + ops_size + fields_size);
  take_ops(r, count, &arena);
  plan->ops = arena.ops;
  plan->count = count;
  return 0;
}

void plan_free(struct plan *plan) {
  free(plan->ops);
  *plan = (struct plan){0};
}
