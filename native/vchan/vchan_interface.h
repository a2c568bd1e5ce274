// Xen's header, which does not say that it may be included only once.
#pragma once

#include <xen/io/libxenvchan.h>
