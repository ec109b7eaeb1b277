using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace MiniCnn.Interop;

/// <summary>
/// The reference to <c>std::ios_base_library_init</c> of GLIBCXX_3.4.32 that <c>&lt;iostream&gt;</c> of GCC 13 adds to every library. Nothing calls it,
/// but with an older libstdc++ a library with this reference loads only if the reference is weak.
/// </summary>
static class IostreamMarker
{
    const uint Relocations = 4, Symbols = 11, VersionsNeeded = 0x6FFF_FFFE, VersionOfSymbol = 0x6FFF_FFFF;    // section types
    const uint Hash = 0x0297_F842;    // hash of GLIBCXX_3.4.32
    const ushort WeakVersion = 2, HiddenVersion = 0x8000;
    const byte Global = 1, Weak = 2;

    // Structures of 64-bit ELF, as elf.h lays them out.
    record struct Section(uint Name, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Size, uint Link, uint Info, ulong Align, ulong EntrySize);
    record struct Symbol(uint Name, byte Info, byte Other, ushort Section, ulong Value, ulong Size);
    record struct Version(uint Hash, ushort Flags, ushort Index, uint Name, uint Next);    // vernaux; the verneed entries between them have 16 bytes too
    record struct Relocation(ulong Offset, ulong Info, long Addend);

    /// <summary>Makes the reference weak. This changes two bytes of the file.</summary>
    /// <param name="library">Content of a library file. It may be damaged.</param>
    /// <returns>
    /// The changed copy, or null if there is nothing to change or the change would be unsafe: the file is not a complete 64-bit little-endian ELF library,
    /// has no such reference or a weak one, uses it, or needs this version for another symbol too. Never throws.
    /// </returns>
    public static byte[]? Weaken(ReadOnlySpan<byte> library)
    {
        if (library.Length < 64 || !library.StartsWith("\u007FELF\u0002\u0001"u8))
            return null;

        ulong sectionBytes = BinaryPrimitives.ReadUInt16LittleEndian(library[0x3C..]) * (ulong)Unsafe.SizeOf<Section>();
        ReadOnlySpan<Section> sections = Table<Section>(library, BinaryPrimitives.ReadUInt64LittleEndian(library[0x28..]), sectionBytes);
        Section symbolTable = Last(sections, Symbols), versionTable = Last(sections, VersionsNeeded), indexTable = Last(sections, VersionOfSymbol);
        if (symbolTable.Link >= sections.Length || versionTable.Link != symbolTable.Link)
            return null;

        Section nameTable = sections[(int)symbolTable.Link];
        ReadOnlySpan<byte> names = Table<byte>(library, nameTable.Offset, nameTable.Size);
        ReadOnlySpan<Symbol> symbols = Table<Symbol>(library, symbolTable.Offset, symbolTable.Size);
        ReadOnlySpan<ushort> indices = Table<ushort>(library, indexTable.Offset, indexTable.Size);    // version index of each symbol
        ReadOnlySpan<Version> versions = Table<Version>(library, versionTable.Offset, versionTable.Size);
        int version = 0, marker = -1;
        while (version < versions.Length && !(versions[version].Hash == Hash && IsAt(names, versions[version].Name, "GLIBCXX_3.4.32\0"u8)))
            version++;
        if (version == versions.Length || indices.Length != symbols.Length)
            return null;
        for (int i = 0; i < symbols.Length; i++)
        {
            if ((indices[i] & ~HiddenVersion) != versions[version].Index)
                continue;
            if (symbols[i].Section != 0 || !IsAt(names, symbols[i].Name, "_ZSt21ios_base_library_initv\0"u8))
                return null;
            marker = i;
        }
        if (marker < 0 || symbols[marker].Info >> 4 != Global || IsUsed(library, sections, (uint)marker))
            return null;

        byte[] weak = library.ToArray();
        MemoryMarshal.Cast<byte, Symbol>(weak.AsSpan((int)symbolTable.Offset))[marker].Info ^= (Global ^ Weak) << 4;
        MemoryMarshal.Cast<byte, Version>(weak.AsSpan((int)versionTable.Offset))[version].Flags |= WeakVersion;
        return weak;
    }

    static bool IsUsed(ReadOnlySpan<byte> file, ReadOnlySpan<Section> sections, uint symbol)
    {
        foreach (Section section in sections)
        {
            foreach (Relocation relocation in section.Type == Relocations ? Table<Relocation>(file, section.Offset, section.Size) : [])
            {
                if (relocation.Info >> 32 == symbol)
                    return true;
            }
        }
        return false;
    }

    static Section Last(ReadOnlySpan<Section> sections, uint type)
    {
        int at = sections.Length - 1;
        while (at >= 0 && sections[at].Type != type)
            at--;
        return at < 0 ? default : sections[at];
    }

    static bool IsAt(ReadOnlySpan<byte> names, uint at, ReadOnlySpan<byte> name) => at < names.Length && names[(int)at..].StartsWith(name);

    /// <summary>Returns a table in the file, or an empty span if the table is not completely inside the file.</summary>
    static ReadOnlySpan<T> Table<T>(ReadOnlySpan<byte> file, ulong offset, ulong bytes) where T : unmanaged =>
        offset <= (ulong)file.Length && bytes <= (ulong)file.Length - offset ? MemoryMarshal.Cast<byte, T>(file.Slice((int)offset, (int)bytes)) : [];
}
