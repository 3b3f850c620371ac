// Chunks of a stream worked on by several threads and handed on in order: for formats that compress chunk by chunk.
// What comes out depends on the stream alone, not on the threads. Private to the room.
#pragma once

#include <functional>
#include <memory>

#include "base/sink.h"

namespace kiln::image {

class ChunkPipe : public Sink {
 public:
  /// What a thread does with a chunk: fills `made` from it.
  using Work = std::function<void(std::span<const std::byte> chunk, std::vector<std::byte>& made)>;
  /// Gets each chunk with what was made of it, in order, on a thread of its own. An error ends the pipe.
  using Take = std::function<Result<>(std::span<const std::byte> chunk, std::span<const std::byte> made)>;

  /// new_work is called once for each of the threads (at least one), so that each has its own work memory. All chunks
  /// but the last have chunk_bytes.
  static Result<std::unique_ptr<ChunkPipe>> start(std::size_t chunk_bytes, unsigned threads,
                                                  const std::function<Work()>& new_work, Take take);
  ChunkPipe(const ChunkPipe&) = delete;
  ChunkPipe& operator=(const ChunkPipe&) = delete;
  /// Without finish() chunks are lost; the threads end.
  ~ChunkPipe() override;
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  /// Hands on what is left and waits until everything was taken.
  Result<> finish();

 private:
  struct State;
  explicit ChunkPipe(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kiln::image
