/* simxend's connections, domains and internal functions. */
#ifndef SIMXEND_H
#define SIMXEND_H

#include "simxen.h"

#include <stdbool.h>

struct buffer {
    uint8_t *bytes;
    size_t length, capacity;
};
void buffer_put(struct buffer *buffer, const void *bytes, size_t length);
void buffer_drop(struct buffer *buffer, size_t length);

enum connection_type {
    LISTEN_HYPERVISOR,
    LISTEN_XENBUS,
    HYPERVISOR_CLIENT, /* one process that uses libsimxen.so */
    XENBUS_CLIENT,     /* one opened "/dev/xen/xenbus" of a domain */
    OWN_EVENTS,        /* the daemon's own event FIFO */
};

/* Resources that the kernel would free when a process dies. */
struct evtchn_handle {
    struct evtchn_handle *next;
    uint32_t id;
};
struct held_page {
    struct held_page *next;
    uint32_t handle, page;
    bool shared; /* the connection shares the page; otherwise it maps it */
};
struct unmap_notify {
    struct unmap_notify *next;
    uint32_t handle, page, offset, port;
};
struct watch {
    struct watch *next;
    char *path, *token;
};
struct transaction {
    struct transaction *next;
    uint32_t id;
};

struct connection {
    int fd;
    enum connection_type type;
    bool dead;
    uint32_t domain, id;
    struct evtchn_handle *evtchns; /* HYPERVISOR_CLIENT */
    struct held_page *pages;
    struct unmap_notify *notifies;
    struct buffer in, out; /* XENBUS_CLIENT */
    struct watch *watches;
    struct transaction *transactions;
};

/* A request that xenstored has not answered yet. */
struct pending {
    struct pending *next;
    uint32_t id, connection, client_id, type;
    char *path, *token;
};
struct domain {
    struct domain *next; /* list of existing domains */
    uint32_t id;
    bool exists;
    uint32_t port, page; /* its xenstore ring */
    struct buffer in, out;
    struct pending *pending;
};

extern struct port_table *ports;
extern uint8_t *memory;
extern struct connection *connections[];
extern int connection_count;
extern struct domain *live_domains;

void die(const char *what) __attribute__((noreturn));

/* connection.c */
struct connection *connection_add(int fd, enum connection_type type, uint32_t domain);
int connection_listen(const char *path, int type);
void connection_reap(int index);

/* evtchn.c */
uint32_t evtchn_handle_new(struct connection *owner);
void evtchn_handle_close(struct connection *owner, uint32_t handle);
int evtchn_port_new(uint32_t domain, uint32_t handle, uint32_t remote_domain);
int evtchn_bind_interdomain(uint32_t domain, const struct request *request);
int evtchn_bind_virq(uint32_t domain, uint32_t handle);
int evtchn_unbind(uint32_t handle, uint32_t port);
void evtchn_unbind_domain(uint32_t domain);
void evtchn_domain_exception(void);

/* gnttab.c */
int grant_page_new(uint32_t owner, uint32_t grantee, bool writable);
void grant_page_disown(uint32_t page);
void grant_open_notify(struct connection *owner, const struct request *request);
int grant_get(struct connection *owner, const struct request *request, struct reply *reply);
void grant_put(struct connection *owner, uint32_t handle, uint32_t page, bool notify);

/* xenbus_*.c */
/* Moves bytes between the ring and the buffers. */
void xenbus_pump(struct domain *domain);
void xenbus_client_readable(struct connection *client);
void xenbus_ring_readable(struct domain *domain);
void xenbus_client_gone(struct connection *client);

/* domain.c */
struct domain *domain_find(uint32_t id);
void domains_start(uint32_t own_evtchn_handle);
void hypervisor_request(struct connection *client, const struct request *request, struct reply *reply);

#endif
