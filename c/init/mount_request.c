/* What an operation asks to be mounted, and the words for its failure. */
#define _GNU_SOURCE
#include "fs.h"

static const char *nothing[] = {NULL};

struct mount_request mount_request_of(const union field *f) {
  return (struct mount_request){
      .kind = (enum mount_kind)f[0].u32,
      .source = f[1].text,
      .slot = f[2].i32,
      .destination = f[3].text,
      .fstype = f[4].text,
      .superblock = f[5].texts.count ? f[5].texts.items : nothing,
      .data = f[6].texts.count ? f[6].texts.items : nothing,
      .attr_set = f[7].u64,
      .attr_clear = f[8].u64,
      .attr_rest = f[9].u64,
      .rec_set = f[10].u64,
      .rec_clear = f[11].u64,
      .propagation = f[12].data.bytes,
      .propagation_count = f[12].data.count,
      .create = (enum create_kind)f[13].u32,
      .flags = f[14].u32,
      .keep = f[15].i32,
  };
}
