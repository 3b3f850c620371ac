// The door of the cloud room: HTTP (http.h), repeating requests (retry.h), and container registries as a client sees
// them (registry.h), Amazon's services (aws.h). Other rooms include this file only. What an image is, the room does not
// know: it hands out bytes, JSON and sources, whose digests it has checked.
#pragma once

#include "cloud/aws.h"              // IWYU pragma: export
#include "cloud/http.h"             // IWYU pragma: export
#include "cloud/reference.h"        // IWYU pragma: export
#include "cloud/registry.h"         // IWYU pragma: export
#include "cloud/registry_config.h"  // IWYU pragma: export
#include "cloud/retry.h"            // IWYU pragma: export
#include "cloud/writer_source.h"    // IWYU pragma: export
