namespace FastListener.Storage;

/// <summary>
/// A project as the store knows it. One instance per universe and project and store: get it from <see cref="ObjectStore.Project"/>
/// and keep it as long as the token table that uses it.
/// </summary>
public sealed class ProjectKey
{
    private int _id;

    internal ProjectKey(string universe, string project)
    {
        Universe = universe;
        Project = project;
        UniverseUtf8 = System.Text.Encoding.UTF8.GetBytes(universe);
        ProjectUtf8 = System.Text.Encoding.UTF8.GetBytes(project);
    }

    /// <summary>The universe's name.</summary>
    public string Universe { get; }

    /// <summary>The project's name.</summary>
    public string Project { get; }

    internal byte[] UniverseUtf8 { get; }

    internal byte[] ProjectUtf8 { get; }

    /// <summary>The catalog's id; 0 until the first object of this project has been committed.</summary>
    internal int Id
    {
        get => Volatile.Read(ref _id);
        set => Volatile.Write(ref _id, value);
    }
}
