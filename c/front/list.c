/*
 * `list`: the containers below the state root. Where there is anything that takes more than records to tell,
 * nothing is printed, and all is left to Deno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>

#include "directory.h"
#include "files.h"
#include "link_data.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"

#define ROWS_MAX 4096
#define TEXTS_ROOM 65536
/* As lib/cli/table.ts has it. */
#define CELL 12
#define GAP 3

enum { COLUMN_ID, COLUMN_PID, COLUMN_STATUS, COLUMN_BUNDLE, COLUMN_CREATED, COLUMN_OWNER, COLUMNS };

struct row {
  const char *cells[COLUMNS];
  const char *document; /* for JSON; NULL otherwise */
};

struct listing {
  const struct call *call;
  struct reading reading;
  struct row *rows[ROWS_MAX];
  uint32_t count;
  char *at, *end; /* room for texts */
};

/* Room that stays until the process ends. */
static char *take_room(struct listing *listing, size_t size) {
  size = (size + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t);
  if ((size_t)(listing->end - listing->at) < size) {
    size_t room = size > TEXTS_ROOM ? size : TEXTS_ROOM;
    listing->at = new_pages(room);
    listing->end = listing->at + room;
  }
  char *taken = listing->at;
  listing->at += size;
  return taken;
}

/* In the order of their characters, which are all of ASCII. */
static int is_before(const char *one, const char *other) {
  while (*one && *one == *other)
    one++, other++;
  return *one < *other;
}

/* Names that a state root has beside containers (OTHERS of lib/state/id.ts). */
static int is_other(const char *name) {
  static const char others[] = ".brain\0.cache\0.code\0.events\0.lxc\0.seccomp\0";
  for (const char *other = others; *other; other += length(other) + 1)
    if (is_same(name, other))
      return 1;
  return after(name, REMOVED) != NULL;
}

/* A text of the document's outermost object that needs no escapes, and is as wide as it is long; or NULL. */
static const char *take_member(struct listing *listing, const char *document, const char *key) {
  for (; *document; document++) {
    const char *value = after(document, "\n  \"");
    value = value ? after(value, key) : NULL;
    value = value ? after(value, "\": \"") : NULL;
    if (!value)
      continue;
    size_t n = 0;
    for (; value[n] && value[n] != '"'; n++)
      if (value[n] == '\\' || (unsigned char)value[n] < ' ' || (unsigned char)value[n] >= 0x7f)
        return NULL;
    char *text = take_room(listing, n + 1);
    *put_bytes(text, value, n) = 0;
    return text;
  }
  return NULL;
}

/* The document on one line: without what is blank between its words. */
static const char *flat(struct listing *listing, const char *document) {
  char *text = take_room(listing, length(document) + 1), *to = text;
  for (int is_text = 0; *document; document++) {
    if (is_text && *document == '\\')
      *to++ = *document++;
    else if (*document == '"')
      is_text = !is_text;
    else if (!is_text && (*document == ' ' || *document == '\n'))
      continue;
    *to++ = *document;
  }
  *to = 0;
  return text;
}

static const char *decimal(struct listing *listing, int number) {
  char *text = take_room(listing, 12);
  put_decimal(text, (uint64_t)number);
  return text;
}

static const char *copied(struct listing *listing, const char *text) {
  char *copy = take_room(listing, length(text) + 1);
  put_string(copy, text);
  return copy;
}

/* Whether all that the listing shows of it could be told. */
static int fill_row(struct listing *listing, struct row *row, const struct container *container) {
  const struct prepared *record = container->record;
  enum state state = state_of(container);
  if (state == STATE_UNKNOWN)
    return 0;
  if (listing->call->quiet)
    return 1;
  char *document = take_room(listing, state_room(record));
  put_state(document, record, state);
  if (listing->call->json) {
    row->document = flat(listing, document);
    return 1;
  }
  row->cells[COLUMN_PID] = decimal(listing, state == STATE_STOPPED ? 0 : record->pid);
  row->cells[COLUMN_STATUS] = name_of_state(state);
  row->cells[COLUMN_BUNDLE] = take_member(listing, document, "bundle");
  row->cells[COLUMN_CREATED] = take_member(listing, document, "created");
  row->cells[COLUMN_OWNER] = take_member(listing, document, "owner");
  return row->cells[COLUMN_BUNDLE] && row->cells[COLUMN_CREATED] && row->cells[COLUMN_OWNER];
}

/* What a monitor knows is in other records. */
static int is_supervised(long directory) {
  struct statx st;
  return look_at(directory, "supervised.json", &st) != -ENOENT;
}

static int add_row(struct listing *listing, const char *id, long directory) {
  struct container container = {.directory = directory};
  if (listing->count == ROWS_MAX || is_supervised(directory))
    return 0;
  container.record = read_record(&listing->reading, directory);
  if (!container.record)
    return 0;
  struct row *row = (struct row *)take_room(listing, sizeof *row);
  *row = (struct row){.cells = {[COLUMN_ID] = copied(listing, id)}};
  if (!fill_row(listing, row, &container))
    return 0;
  uint32_t at = listing->count++;
  for (; at > 0 && is_before(id, listing->rows[at - 1]->cells[COLUMN_ID]); at--)
    listing->rows[at] = listing->rows[at - 1];
  listing->rows[at] = row;
  return 1;
}

static int visit_entry(long root, const struct entry *entry, void *data) {
  if (entry->type == IS_UNKNOWN)
    return 0;
  if (entry->type != IS_DIRECTORY || is_other(entry->name))
    return 1;
  if (!is_id(entry->name))
    return 0;
  long directory = open_directory(root, entry->name);
  if (directory < 0)
    return directory == -ENOENT;
  int is_told = add_row(data, entry->name, directory);
  sys1(SYS_CLOSE, directory);
  return is_told;
}

static void measure(const struct row *row, size_t widths[COLUMNS]) {
  for (int i = 0; i < COLUMNS; i++) {
    size_t width = length(row->cells[i]) + GAP;
    if (width > widths[i])
      widths[i] = width;
  }
}

static char *put_row(char *to, const struct row *row, const size_t widths[COLUMNS]) {
  for (int i = 0; i < COLUMNS; i++) {
    size_t n = length(row->cells[i]);
    to = put_string(to, row->cells[i]);
    for (; i < COLUMNS - 1 && n < widths[i]; n++)
      *to++ = ' ';
  }
  return put_string(to, "\n");
}

static int print_table(const struct listing *listing) {
  static const char names[] = "ID\0PID\0STATUS\0BUNDLE\0CREATED\0OWNER";
  const char *name = names;
  struct row headings;
  size_t widths[COLUMNS], line = 2;
  for (int i = 0; i < COLUMNS; i++) {
    headings.cells[i] = name;
    name += length(name) + 1;
    widths[i] = CELL;
  }
  measure(&headings, widths);
  for (uint32_t i = 0; i < listing->count; i++)
    measure(listing->rows[i], widths);
  for (int i = 0; i < COLUMNS; i++)
    line += widths[i];
  char *text = new_pages((listing->count + 1) * line), *end = put_row(text, &headings, widths);
  for (uint32_t i = 0; i < listing->count; i++)
    end = put_row(end, listing->rows[i], widths);
  return print(text, end);
}

static int print_texts(const struct listing *listing, const char *before, const char *between,
                       const char *behind) {
  size_t size = 8;
  for (uint32_t i = 0; i < listing->count; i++) {
    const struct row *row = listing->rows[i];
    size += length(row->document ? row->document : row->cells[COLUMN_ID]) + 1;
  }
  char *text = new_pages(size), *end = put_string(text, before);
  for (uint32_t i = 0; i < listing->count; i++) {
    const struct row *row = listing->rows[i];
    if (i > 0)
      end = put_string(end, between);
    end = put_string(end, row->document ? row->document : row->cells[COLUMN_ID]);
  }
  return print(text, put_string(end, behind));
}

int list_containers(const struct call *call, const char *root) {
  struct listing *listing = new_pages(sizeof *listing);
  listing->call = call;
  listing->reading.front = linked(front_link_data.front_id);
  if (!visit_all(AT_FDCWD, root, visit_entry, listing) || !open_log(call->log))
    return COLD;
  if (call->quiet)
    return print_texts(listing, "", "\n", listing->count > 0 ? "\n" : "");
  if (call->json)
    return print_texts(listing, "[", ",", "]\n");
  return print_table(listing);
}
