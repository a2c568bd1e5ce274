/*
 * simxen: the parts of a hypervisor that the real xenstored, libxenstore, libxenvchan and xl devd need on
 * plain Linux.
 *
 * The daemon (simxend) and its clients (libsimxen.so, simctl) share this header. Their files are in the
 * directory $SIMXEN: `hv` (requests), `tab` (ports), `mem` (grantable pages), `ev.<handle>` (pending events).
 */
#ifndef SIMXEN_H
#define SIMXEN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PORTS 4096         /* event channel ports, one number space for all domains */
#define PAGES 16384        /* grantable pages (64 MiB, sparse); index 0 means none */
#define PAGE_BYTES 4096
#define DOMAINS 0x7ff0     /* DOMID_FIRST_RESERVED */
#define REQUEST_REFS 256   /* grant references in one request */
#define REF_XENSTORE 1     /* GNTTAB_RESERVED_XENSTORE */
#define REF_BASE 8         /* grant reference = page index + REF_BASE */
#define NO_NOTIFY UINT32_MAX

enum port_flag { PORT_PENDING = 1, PORT_MASKED = 2 };

/* All processes map the ports: a notification costs two memory accesses and at most one write to a FIFO. */
struct port {
    uint32_t used;
    uint32_t domain;
    uint32_t remote_domain; /* the domain that may bind to it */
    uint32_t handle;        /* the handle whose FIFO gets its events */
    _Atomic uint32_t peer;  /* 0: not connected */
    _Atomic uint32_t flags;
};
struct port_table {
    struct port port[PORTS];
};

/* $SIMXEN/hv is SOCK_SEQPACKET: one request, one reply. */
enum operation {
    OP_HELLO = 1,       /* a = own domid */
    OP_EVTCHN_OPEN,     /* -> handle */
    OP_EVTCHN_CLOSE,    /* a = handle */
    OP_BIND_UNBOUND,    /* a = handle, b = remote domid -> port */
    OP_BIND_INTERDOMAIN,/* a = handle, b = remote domid, c = remote port -> port */
    OP_BIND_VIRQ,       /* a = handle -> port; the only VIRQ is DOM_EXC */
    OP_UNBIND,          /* a = handle, b = port */
    OP_GRANT_OPEN,      /* -> handle */
    OP_GRANT_CLOSE,     /* a = handle */
    OP_GRANT_SHARE,     /* a = handle, b = grantee, c = writable, count -> page indexes */
    OP_GRANT_MAP,       /* a = handle, b = granter, c = writable, refs -> page indexes */
    OP_GRANT_PUT,       /* a = handle, page indexes */
    OP_GRANT_NOTIFY,    /* a = handle, b = offset, c = port, one page index */
    OP_DOMAIN_EXISTS,   /* a = domid */
    OP_DOMAIN_CREATE,   /* a = domid -> xenstore port, for XS_INTRODUCE */
    OP_DOMAIN_DESTROY,  /* a = domid */
};

struct request {
    uint32_t op, a, b, c;
    uint32_t count;
    uint32_t values[REQUEST_REFS];
};
struct reply {
    int32_t result; /* negative: -errno */
    uint32_t values[REQUEST_REFS];
};

/* $SIMXEN plus a name made from a format with one number; valid until the thread's next call. */
const char *rig_path(const char *format, unsigned number);

/* Maps a whole file of the rig, shared and writable; NULL on failure. */
void *rig_map(const char *name, size_t length);

/* Connects to a unix socket; -1 and errno on failure. */
int rig_connect(const char *path, int type);

/* Linux evtchn semantics: an event masks its port until the reader unmasks it, so no event is lost. */
void port_raise(struct port_table *table, uint32_t number);
void port_unmask(struct port_table *table, uint32_t number);

#endif
