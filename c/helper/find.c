/*
 * The way into the library. Looking a function up here costs JavaScript a fraction of what it
 * costs to have the dynamic linker do it, and what a command does not use costs nothing.
 */
#include <string.h>

#include "../include/ops.h"
#include "bpf.h"
#include "helper.h"
#include "memory.h"
#include "monitor.h"
#include "mount.h"
#include "net.h"
#include "node.h"
#include "peer.h"
#include "program.h"
#include "replace.h"
#include "stream.h"
#include "tree.h"
#include "waiter.h"

/* clang-format off */
#define FUNCTIONS(X) \
  X(rts_build_id) X(rts_spawn) X(rts_init_image) X(rts_sealed_file) X(rts_monitor_start) X(rts_monitor_image) \
  X(rts_connect_packets) X(rts_listen_packets) X(rts_packet_pair) \
  X(rts_send_packet) X(rts_receive_packet) X(rts_receive) X(rts_send) X(rts_pidfd_open) X(rts_pidfd_signal) \
  X(rts_pidfd_getfd) X(rts_reap) X(rts_exit_status) X(rts_set_subreaper) X(rts_userns) \
  X(rts_keep_children) X(rts_forward_begin) X(rts_forward_to) X(rts_forward_size) \
  X(rts_forward_count) X(rts_forward_heard) X(rts_forward_tell) X(rts_forward_end) X(rts_reap_until) X(rts_open) X(rts_open_plain) X(rts_close) X(rts_read_file) \
  X(rts_read) X(rts_read_available) X(rts_write) X(rts_mkfifo) X(rts_rename) X(rts_readlink) \
  X(rts_lock_open) X(rts_lock) X(rts_lock_bytes) \
  X(rts_poll) X(rts_fd_flags) X(rts_pipe) X(rts_memory_file) X(rts_connect_unix) \
  X(rts_listen_unix) X(rts_accept) X(rts_socketpair) X(rts_bind_datagram) \
  X(rts_send_datagram) X(rts_send_message) \
  X(rts_receive_message) X(rts_is_terminal) X(rts_window_get) X(rts_window_set) X(rts_raw_mode) \
  X(rts_restore_mode) X(rts_clear_onlcr) X(rts_relay) X(rts_hook_begin) X(rts_hook_pass_on) \
  X(rts_hook_kill) X(rts_hook_end) \
  X(rts_bpf_load) X(rts_bpf_attach) X(rts_bpf_detach) X(rts_bpf_query) X(rts_bpf_open) \
  X(rts_bpf_name) X(rts_eventfd) X(rts_netlink_open) X(rts_netlink_ask) X(rts_detach) X(rts_try_option) \
  X(rts_overlay) \
  X(rts_mount) X(rts_mount_from) X(rts_close_on_exec) X(rts_core_scheduling) \
  X(rts_waiter_make) X(rts_waiter_add) X(rts_waiter_keep) X(rts_waiter_remove) X(rts_waiter_wake) X(rts_waiter_wait) \
  X(rts_peer) X(rts_hear_senders) X(rts_receive_sent) X(rts_process) X(rts_replace) X(rts_stream_open) X(rts_stream_read) X(rts_stream_write) \
  X(rts_tree_copy) X(rts_tree_remove) X(rts_program_begin) \
  X(rts_open_below) X(rts_node_make) X(rts_node_remove) X(rts_drop_pages)
/* clang-format on */

static const struct {
  const char *name;
  void (*address)(void);
} table[] = {
#define X(name) {#name, (void (*)(void))name},
    FUNCTIONS(X)
#undef X
};

int32_t rts_build_id(uint8_t *id) {
  memcpy(id, RUNTS_BUILD_ID, BUILD_ID_LENGTH);
  return 0;
}

void *rts_find(const char *name) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].name, name) == 0)
      return (void *)table[i].address;
  return NULL;
}
