// What a build does with its sources: provisioners and post-processors, with only, except and override.
#pragma once

#include "template/program.h"

namespace kiln::tmpl {

/// A provisioner or post-processor block, its general attributes read.
struct StepBlock {
  std::string type, name;
  const ExpandedBlock* block = nullptr;
  std::vector<std::string> only, except;
  std::optional<Duration> pause_before, timeout;
  std::uint32_t max_retries = 0;
  bool continue_on_error = false;
  std::optional<bool> keep_input_artifact;
  std::optional<Option> overrides;  // by source name
};

struct StepBlocks {
  std::vector<StepBlock> provisioners;
  std::optional<StepBlock> error_cleanup;
  std::vector<std::vector<StepBlock>> chains;
  std::vector<std::vector<ExpandedBlock>> inside;  // the blocks of post-processors; chains point into them
};

/// Reads the blocks of a build, which must outlive the answer.
StepBlocks read_steps(Loading& loading, const std::vector<ExpandedBlock>& blocks);

/// Adds those that are for this build.
void add_steps(const Loading& loading, const StepBlocks& steps, const std::string& build_name, Build& build);

}  // namespace kiln::tmpl
