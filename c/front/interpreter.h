/* ld.so, mapped as the kernel does it for an executable that names it. */
#ifndef RUNTS_FRONT_INTERPRETER_H
#define RUNTS_FRONT_INTERPRETER_H

#include <stdint.h>

/*
 * Maps the file, ends the process where that cannot be, and changes the auxiliary vector to what ld.so
 * expects of the executable. Gives the address to go on at.
 */
uintptr_t load_interpreter(uint64_t *auxv);

#endif
