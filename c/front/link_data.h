/*
 * The block that tools/build/link/image.ts writes right behind the front's code. Every distance counts
 * in bytes from the start of this block; the block and the front need no relocation.
 */
#ifndef RUNTS_FRONT_LINK_DATA_H
#define RUNTS_FRONT_LINK_DATA_H

#include <stdint.h>

struct link_data {
  int64_t entry;         /* the entry point of the `deno` executable */
  int64_t headers;       /* program headers as ld.so must see them … */
  int64_t headers_count; /* … and how many they are */
  int64_t interpreter;   /* the path of ld.so */
  int64_t script;        /* the main script … */
  int64_t script_len;    /* … and its length */
  int64_t library;       /* the helper library … */
  int64_t library_len;   /* … and its length */
  int64_t argv;          /* words that replace argv[0], each ending in NUL, then an empty one */
  int64_t cached_argv;   /* the same, when there is a code cache */
  int64_t resident_argv; /* the same, for a process that stays … */
  int64_t resident_cached_argv;
  int64_t cache_name; /* its path below the state root; empty when there is none … */
  int64_t resident_cache_name;
  int64_t env;      /* variables to put first, in the same form; the first one is padding */
  int64_t front_id; /* 32 characters that the records of this build begin with */
  int64_t drop;     /* prefixes of the variables to leave out, in the same form */
};

extern const struct link_data front_link_data __attribute__((visibility("hidden")));

static inline const char *linked(int64_t distance) {
  return (const char *)&front_link_data + distance;
}

#endif
