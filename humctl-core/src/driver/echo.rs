//! `humanitec/echo`: outputs are the inputs (spec/drivers.md §5).

use super::{Driver, DriverCall, DriverError, Outputs};

pub(super) struct Echo;

impl Driver for Echo {
    fn provision(&self, call: DriverCall<'_>) -> Result<Outputs, DriverError> {
        Ok(Outputs { values: call.values, secret_refs: call.secret_refs, ..Outputs::default() })
    }
}
