/*
 * simxend simulates the hypervisor for libsimxen.so, and each guest's xenbus driver for libxenstore.
 * It makes the file $SIMXEN/ready when it is ready.
 */
#define _GNU_SOURCE
#include "simxend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct port_table *ports;
uint8_t *memory;

void die(const char *what)
{
    fprintf(stderr, "simxend: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void make_file(const char *name, size_t length)
{
    int fd = open(rig_path(name, 0), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)length) != 0)
        die(name);
    close(fd);
}

static void start(void)
{
    make_file("tab", sizeof *ports);
    make_file("mem", (size_t)PAGES * PAGE_BYTES);
    make_file("xsd_kva", PAGE_BYTES);
    ports = rig_map("tab", sizeof *ports);
    memory = rig_map("mem", (size_t)PAGES * PAGE_BYTES);
    if (ports == NULL || memory == NULL)
        die("mmap");

    uint32_t own_handle = evtchn_handle_new(NULL);
    int events = open(rig_path("ev.%u", own_handle), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (events < 0)
        die("event FIFO");
    connection_add(events, OWN_EVENTS, 0);
    domains_start(own_handle);
    connection_add(connection_listen(rig_path("hv", 0), SOCK_SEQPACKET), LISTEN_HYPERVISOR, 0);
}

static void accept_client(const struct connection *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        connection_add(fd, listener->type == LISTEN_XENBUS ? XENBUS_CLIENT : HYPERVISOR_CLIENT, listener->domain);
}

static void take_events(int fd)
{
    uint32_t number;

    while (read(fd, &number, sizeof number) == sizeof number) {
        port_unmask(ports, number);
        struct domain *domain = domain_find(ports->port[number].domain);
        if (domain != NULL && domain->port == number)
            xenbus_pump(domain);
    }
}

static void answer_request(struct connection *client)
{
    struct request request = {0};
    struct reply reply;

    if (recv(client->fd, &request, sizeof request, 0) <= 0 || request.count > REQUEST_REFS) {
        client->dead = true;
        return;
    }
    hypervisor_request(client, &request, &reply);
    bool pages = request.op == OP_GRANT_SHARE || request.op == OP_GRANT_MAP;
    size_t values = pages && reply.result > 0 ? (size_t)reply.result : 0;
    size_t length = offsetof(struct reply, values) + values * sizeof reply.values[0];
    if (send(client->fd, &reply, length, MSG_NOSIGNAL) < 0)
        client->dead = true;
}

static void serve(struct connection *connection)
{
    switch (connection->type) {
    case LISTEN_HYPERVISOR:
    case LISTEN_XENBUS: accept_client(connection); break;
    case OWN_EVENTS: take_events(connection->fd); break;
    case HYPERVISOR_CLIENT: answer_request(connection); break;
    case XENBUS_CLIENT: xenbus_client_readable(connection); break;
    }
}

static void flush(struct connection *client)
{
    ssize_t length = send(client->fd, client->out.bytes, client->out.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (length > 0)
        buffer_drop(&client->out, (size_t)length);
    else if (errno != EAGAIN)
        client->dead = true;
}

static void turn(void)
{
    static struct pollfd fds[1024];
    int count = connection_count; /* connections accepted in this round are handled in the next one */

    for (int k = 0; k < count; k++) {
        short output = connections[k]->out.length > 0 ? POLLOUT : 0;
        fds[k] = (struct pollfd){.fd = connections[k]->fd, .events = (short)(POLLIN | output)};
    }
    if (poll(fds, (nfds_t)count, -1) < 0 && errno != EINTR)
        die("poll");
    for (int k = 0; k < count; k++)
        if ((fds[k].revents & ~POLLOUT) != 0 && !connections[k]->dead)
            serve(connections[k]);
    for (struct domain *domain = live_domains; domain != NULL; domain = domain->next)
        if (domain->in.length > 0)
            xenbus_ring_readable(domain);
    for (int k = 0; k < connection_count; k++)
        if (connections[k]->out.length > 0 && !connections[k]->dead)
            flush(connections[k]);
    for (int k = connection_count - 1; k >= 0; k--)
        if (connections[k]->dead)
            connection_reap(k);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    start();
    make_file("ready", 0);
    for (;;)
        turn();
}
