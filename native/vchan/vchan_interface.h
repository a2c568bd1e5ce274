// Includes Xen's header once. It has no include guard of its own.
#pragma once

#include <xen/io/libxenvchan.h>
