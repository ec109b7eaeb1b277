namespace MiniCnn.Imaging;

/// <summary>Draws several pictures side by side on one sheet, each below its title.</summary>
public static class ContactSheet
{
    /// <summary>
    /// Draws pictures row by row. All columns have the width of the widest picture or title word; long titles are wrapped at spaces.
    /// The sheet is grey if all pictures are grey, otherwise RGB.
    /// </summary>
    /// <param name="tiles">Titles, which may be empty, and pictures of any size; at least one.</param>
    /// <param name="columns">Number of pictures in a row, at least 1.</param>
    /// <param name="scale">Side of the square of sheet pixels that shows one pixel of a picture, at least 1.</param>
    /// <exception cref="ArgumentException">
    /// There are no pictures, <paramref name="columns"/> or <paramref name="scale"/> is below 1, or the sheet does not fit into an array.
    /// </exception>
    public static Picture Draw(IReadOnlyList<(string Title, Picture Picture)> tiles, int columns, int scale = 1)
    {
        ArgumentNullException.ThrowIfNull(tiles);
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        if (tiles.Count == 0) throw new ArgumentException("expected at least one picture for the sheet, got none");
        columns = Math.Min(columns, tiles.Count);

        // Column width: the widest picture or word. Row height: the row's longest title plus its highest picture.
        int width = tiles.Max(tile => Math.Max(
            tile.Picture.Width * scale, tile.Title.Split(' ').Max(word => Drawing.Width(word, Drawing.Title))));
        List<string>[] titles = [.. tiles.Select(tile => Drawing.Wrap(tile.Title, width))];
        var places = new (int Left, int Top)[tiles.Count];
        int top = Drawing.Margin;
        foreach (int[] row in Enumerable.Range(0, tiles.Count).Chunk(columns))
        {
            top += row.Max(i => Drawing.TitleHeight(titles[i]));
            foreach (int i in row) places[i] = (Drawing.Margin + i % columns * (width + Drawing.Gap), top);
            top += row.Max(i => tiles[i].Picture.Height * scale) + Drawing.Gap;
        }
        Picture sheet = Drawing.Sheet(2 * Drawing.Margin + columns * (width + Drawing.Gap) - Drawing.Gap, top - Drawing.Gap + Drawing.Margin, canvas =>
        {
            for (int i = 0; i < tiles.Count; i++) canvas.WriteTitle(titles[i], places[i].Left, places[i].Top - Drawing.TitleHeight(titles[i]));
        });
        for (int i = 0; i < tiles.Count; i++) sheet.Paste(tiles[i].Picture, places[i].Left, places[i].Top, scale);
        return tiles.All(tile => tile.Picture.Channels == 1) ? sheet.ToGrey() : sheet;
    }

    /// <summary>Draws two pictures side by side. Each title is followed by the size of its picture, width × height.</summary>
    public static Picture Pair(string titleBefore, Picture before, string titleAfter, Picture after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        return Draw([($"{titleBefore}, {before.Width}×{before.Height}", before), ($"{titleAfter}, {after.Width}×{after.Height}", after)], columns: 2);
    }
}
