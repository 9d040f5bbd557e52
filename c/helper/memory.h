/* Memory of this process. */
#ifndef RUNTS_HELPER_MEMORY_H
#define RUNTS_HELPER_MEMORY_H

#include <stdint.h>

/* MADV_DONTNEED of madvise(2): for what is as the file has it that is mapped there. */
int32_t rts_drop_pages(uint64_t start, uint64_t length);

#endif
