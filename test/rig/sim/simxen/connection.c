/* simxend's sockets and their buffers. */
#define _GNU_SOURCE
#include "simxend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS 1024

struct connection *connections[CONNECTIONS];
int connection_count;

void buffer_put(struct buffer *buffer, const void *bytes, size_t length)
{
    if (buffer->length + length > buffer->capacity) {
        buffer->capacity = 2 * (buffer->length + length);
        buffer->bytes = realloc(buffer->bytes, buffer->capacity);
    }
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_drop(struct buffer *buffer, size_t length)
{
    memmove(buffer->bytes, buffer->bytes + length, buffer->length - length);
    buffer->length -= length;
}

/* Takes over the fd; NULL when there are too many connections. */
struct connection *connection_add(int fd, enum connection_type type, uint32_t domain)
{
    static uint32_t next_id = 1;

    if (connection_count == CONNECTIONS) {
        close(fd);
        return NULL;
    }
    struct connection *connection = calloc(1, sizeof *connection);
    *connection = (struct connection){.fd = fd, .type = type, .domain = domain, .id = next_id++};
    connections[connection_count++] = connection;
    return connection;
}

int connection_listen(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);

    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0)
        die(path);
    return fd;
}

/* Cleans up after a dead process as the kernel does: unmap notifications first, then its ports. */
void connection_reap(int index)
{
    struct connection *connection = connections[index];
    connections[index] = connections[--connection_count];

    grant_put(connection, 0, 0, true);
    while (connection->evtchns != NULL)
        evtchn_handle_close(connection, connection->evtchns->id);
    xenbus_client_gone(connection);
    close(connection->fd);
    free(connection->in.bytes);
    free(connection->out.bytes);
    free(connection);
}
