"""The IHE_XDM.ZIP archive: packed exactly, unpacked with suspicion."""
