//! Which calls the kernel answers: seccomp. Whatever is not listed here fails as not permitted.

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter_all_threads,
};

/// Memory, time, waiting for a thread, ending, and reading what is open. No socket, no program, no thread, nothing
/// about other processes.
const DRAWING: &[i64] = &[
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_readv,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getdents64,
    libc::SYS_fcntl,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_membarrier,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Whether the kernel took the filter, for every thread of this process.
pub fn allow_drawing() -> bool {
    build().is_ok_and(|filter| apply_filter_all_threads(&filter).is_ok())
}

fn build() -> Result<BpfProgram, BackendError> {
    let mut rules: std::collections::BTreeMap<i64, Vec<SeccompRule>> =
        DRAWING.iter().map(|call| (*call, Vec::new())).collect();
    // Pages that can be run are not made any more, and none is written and run.
    let not_executable = zero_bits(2, libc::PROT_EXEC)?;
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![not_executable])?]);
    let not_executable = zero_bits(2, libc::PROT_EXEC)?;
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![not_executable])?]);
    // Only for reading; Landlock says which.
    let read_only = zero_bits(2, libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC)?;
    rules.insert(libc::SYS_openat, vec![SeccompRule::new(vec![read_only])?]);
    // Only to the pipes: a descriptor that was left open by whoever started us is no way out.
    for call in [libc::SYS_write, libc::SYS_writev] {
        let to_a_pipe = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Le, 2)?;
        rules.insert(call, vec![SeccompRule::new(vec![to_a_pipe])?]);
    }
    // Ends itself by a signal where memory is exhausted, and sends none elsewhere.
    let own = u64::from(std::process::id());
    let to_itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![to_itself])?]);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
        std::env::consts::ARCH.try_into()?,
    )?;
    filter.try_into()
}

/// Whether none of these bits is set in an argument.
fn zero_bits(argument: u8, bits: i32) -> Result<SeccompCondition, BackendError> {
    let mask = u64::from(bits.unsigned_abs());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), 0)
}
