// A disk's chunks, worked on by several threads and handed on in order to several writers, each on a thread of its own.
// What a writer gets depends on the disk alone, not on the threads or the other writers. Private to the room.
#pragma once

#include <memory>

#include "image/disk/disk_writer.h"

namespace kiln::image {

class ChunkPipe : public Sink {
 public:
  /// Gets each chunk, in order, on a thread of its own. An error ends the pipe.
  using Take = std::function<Result<>(const DiskChunk& chunk)>;

  /// places: where the bytes that are written come from, whole chunks; must outlive the pipe. threads: that make forms.
  static Result<std::unique_ptr<ChunkPipe>> start(const std::vector<Extent>& places, const ChunkForms& forms,
                                                  unsigned threads, std::vector<Take> takers);
  ChunkPipe(const ChunkPipe&) = delete;
  ChunkPipe& operator=(const ChunkPipe&) = delete;
  /// Without finish() chunks are lost; the threads end.
  ~ChunkPipe() override;
  using Sink::write;
  Result<> write(std::span<const std::byte> bytes) override;
  /// Waits until everything was taken. The bytes written must be those of the places.
  Result<> finish();
  /// The first error of a taker. After it write() fails too.
  std::optional<Error> failure() const;

 private:
  struct State;
  explicit ChunkPipe(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace kiln::image
