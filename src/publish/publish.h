// The door of the publish room: images in registries (registry_image.h) and in a Docker Engine (engine.h). It reads
// bases from there and puts finished images there; what it says about progress goes through a callback.
#pragma once

#include "publish/engine.h"          // IWYU pragma: export
#include "publish/registry_image.h"  // IWYU pragma: export
