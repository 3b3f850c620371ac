// Turns something that writes (an image writer pouring into a sink) into something to read (the body of a request),
// without holding it in memory: the writer runs in a thread of its own, a few hundred KiB ahead of the reader.
#pragma once

#include <functional>
#include <memory>

#include "base/cancel.h"
#include "base/sink.h"

namespace kiln::cloud {

using SinkWriter = std::function<Result<>(Sink&)>;

/// The bytes that `write` writes. Its error becomes the reader's. A reader that goes away early makes the writer's next
/// write fail with Errc::interrupted, and waits for it to return. cancel must outlive the source.
std::unique_ptr<Source> source_of_writer(SinkWriter write, const Cancel& cancel);

}  // namespace kiln::cloud
