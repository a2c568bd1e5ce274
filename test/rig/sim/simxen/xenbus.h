/*
 * A small version of the guests' Linux xenbus driver: all processes of a guest share its only ring to
 * xenstored.
 *
 * Like the kernel it rewrites request ids and watch tokens, and undoes the watches and transactions of a dead
 * process. A failed XS_WATCH ends the client's connection: in the kernel write() fails, and libxenstore then
 * closes its fd.
 */
#ifndef XENBUS_H
#define XENBUS_H

#include "simxend.h"

#include <xen/xen.h>
#include <xen/io/xs_wire.h>

#define TOKEN_PREFIX 9 /* "%08x:" with the connection's id */

/* xenbus_ring.c */
void put_message(struct buffer *to, struct xsd_sockmsg header, const void *body, uint32_t length);
/* Asks xenstored to start or stop a watch; the client's number is put in front of its token. */
void put_watch(struct domain *domain, uint32_t type, uint32_t id, uint32_t client, const char *path, const char *token);
void put_abort(struct domain *domain, uint32_t transaction);
/* Calls `handle` for every complete message, with a NUL behind its body; false if a message is too long. */
bool each_message(struct buffer *buffer, void *receiver, void (*handle)(void *, struct xsd_sockmsg *, char *));

#endif
