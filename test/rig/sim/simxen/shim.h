/* Inside libsimxen.so: the connection to simxend that all the replaced calls use. */
#ifndef SHIM_H
#define SHIM_H

#include "simxen.h"

/* Known once the first request has been made. */
extern struct port_table *shim_ports;
extern int shim_memory;

/* The result, or -1 with errno set. */
int shim_request(const struct request *request, struct reply *reply);
int shim_call(uint32_t op, uint32_t a, uint32_t b, uint32_t c);

#endif
