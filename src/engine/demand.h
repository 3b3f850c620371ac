// Which steps must be looked at, before anything runs: what a finished image does not need is left alone even where its
// layers are gone from the store.
#pragma once

#include "engine/lookup.h"

namespace kiln::engine {

struct Demand {
  std::vector<bool> required;                      // must be settled by the scheduler
  std::vector<std::optional<Outcome>> up_to_date;  // artifacts that are there already
};

/// Fills lookup with every result that the store knows, then works backwards from what the builds want.
Result<Demand> find_demand(const plan::Plan& plan, Lookup& lookup, StepRunner& runner);

}  // namespace kiln::engine
