#pragma once
/* C++ only: the CSimdJSON target includes <simdjson.h>; this module exists to link the library. */
