// Bodies with their dynamic blocks written out, and their evaluation into Body values.
#pragma once

#include "template/evaluate.h"

namespace kiln::tmpl {

constexpr std::size_t kMaxDynamicBlocks = 10'000;  // made for one body, those inside of others included

/// A block as it stands, or one that a dynamic block makes; scope has the iterator then.
struct ExpandedBlock {
  std::string type;
  std::vector<std::string> labels;
  const Block* source = nullptr;  // for ranges: the block or the dynamic block
  const SyntaxBody* body = nullptr;
  std::shared_ptr<const Scope> scope;
};

/// The blocks of a body, in order.
std::vector<ExpandedBlock> expand_blocks(const SyntaxBody& body, const std::shared_ptr<const Scope>& scope,
                                         Evaluation& evaluation);

/// Evaluates every attribute and block; attributes named in without are left out.
Body evaluate_body(const SyntaxBody& body, const std::shared_ptr<const Scope>& scope, Evaluation& evaluation,
                   const std::set<std::string>& without = {});

}  // namespace kiln::tmpl
