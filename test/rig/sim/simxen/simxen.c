/* Functions for both sides of the simulated hypervisor: they open the rig's files and raise events. */
#define _GNU_SOURCE
#include "simxen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *rig_path(const char *format, unsigned number)
{
    static _Thread_local char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *directory = getenv("SIMXEN");
    char name[32];

    snprintf(name, sizeof name, format, number);
    snprintf(path, sizeof path, "%s/%s", directory ? directory : "/run/simxen", name);
    return path;
}

void *rig_map(const char *name, size_t length)
{
    int fd = open(rig_path(name, 0), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return memory == MAP_FAILED ? NULL : memory;
}

int rig_connect(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);

    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* The FIFO replaces /dev/xen/evtchn: a reader gets 4-byte port numbers. */
static void fifo_write(uint32_t handle, uint32_t port)
{
    static _Thread_local struct {
        uint32_t handle;
        int fd;
    } cache[16];
    unsigned slot = handle % 16;

    if (cache[slot].handle != handle) {
        if (cache[slot].handle != 0)
            close(cache[slot].fd);
        cache[slot].handle = 0;
        /* With O_RDWR, a missing reader causes neither SIGPIPE nor an error. */
        int fd = open(rig_path("ev.%u", handle), O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            return;
        cache[slot].handle = handle;
        cache[slot].fd = fd;
    }
    if (write(cache[slot].fd, &port, sizeof port) != sizeof port)
        perror("simxen: event FIFO");
}

static void deliver(struct port_table *table, uint32_t number)
{
    struct port *port = &table->port[number];
    uint32_t deliverable = PORT_PENDING;

    if (atomic_compare_exchange_strong(&port->flags, &deliverable, PORT_MASKED))
        fifo_write(port->handle, number);
}

void port_raise(struct port_table *table, uint32_t number)
{
    if (number == 0 || !table->port[number].used)
        return;
    atomic_fetch_or(&table->port[number].flags, PORT_PENDING);
    deliver(table, number);
}

void port_unmask(struct port_table *table, uint32_t number)
{
    atomic_fetch_and(&table->port[number].flags, ~(uint32_t)PORT_MASKED);
    deliver(table, number);
}
