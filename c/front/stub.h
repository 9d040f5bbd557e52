/*
 * The block that tools/build/elf.ts writes right behind the stub's code. Every distance counts in bytes
 * from the start of this block; the block and the stub need no relocation.
 */
#ifndef RUNTS_STUB_H
#define RUNTS_STUB_H

#include <stdint.h>

struct link_data {
  int64_t entry;        /* the executable's own entry point */
  int64_t environ_slot; /* the word where ld.so stored the address of libc's `environ` */
  int64_t script;       /* the main script … */
  int64_t script_len;   /* … and its length */
  int64_t library;      /* the helper library … */
  int64_t library_len;  /* … and its length */
  int64_t argv;         /* words that replace argv[0], each ending in NUL, then an empty one */
  int64_t cached_argv;  /* the same, when there is a code cache */
  int64_t cache_name;   /* its path below the state root; empty when there is none */
  int64_t env;          /* variables to put first, in the same form; the first one is padding */
  int64_t drop;         /* prefixes of the variables to leave out, in the same form */
};

#endif
