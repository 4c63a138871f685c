//! Threads whose work can wait: they read, count and write what the measuring threads have received.

/// Makes the calling thread give way to the measuring threads wherever both want the same core. It cannot be undone
/// without privileges, and threads that it starts inherit it.
pub(crate) fn give_way() {
    // Linux knows priorities of threads; elsewhere this would slow down the whole process. If it is refused, the
    // scheduler shares the cores out as it sees fit.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, LOWEST_PRIORITY);
}

/// The nice value with the smallest share of a contended core, about 1.5 %.
#[cfg(target_os = "linux")]
const LOWEST_PRIORITY: i32 = 19;
