/*
 * rtnetlink(7) sockets of this and of other network namespaces. Functions return a value or a
 * negated errno.
 */
#ifndef RUNTS_NET_H
#define RUNTS_NET_H

#include <stdint.h>

#include "helper.h"

/* A socket that speaks with the kernel about the network namespace; for -1 about ours. */
int32_t rts_netlink_open(int32_t netns);

/*
 * Sends one request and collects all of the answer, with the NLMSG_DONE or NLMSG_ERROR at its end;
 * the length of that. -EMSGSIZE if `size` is too small.
 */
int32_t rts_netlink_ask(int32_t socket, const uint8_t *request, uint32_t length, uint8_t *reply,
                        uint32_t size);

#endif
